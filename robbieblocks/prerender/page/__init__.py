"""Making pages from rendered blocks and templates.

| module | what it holds |
|---|---|
| `renderer` | makes documents with the templates |
| `document` | a page for all nodes, with slots for what is a node's own |
| `node_slots` | what a node writes into the slots: theme, address, styles, script |
| `node_sheet` | the stylesheet that an app's pages share on a node, at a fixed address |
| `policy` | the Content-Security-Policy |
| `sent_headers` | the headers that settings ask for |
| `head` | styles and scripts, Open Graph, linked data |
| `visibility` | visitor conditions as CSS rules |
| `islands` | the blocks of a page that the browser hydrates or renders again |
| `page_assets` | the stylesheets and modules that a page loads |
| `templates` | the Jinja templates |
| `template_code` | what they were compiled to |
| `site_files` | robots.txt and sitemaps |
| `node_pages` | the page at `/` and 404.html, which are no rows |
| `content` | what makes one document different from another |

`robbieblocks.prerender` names what other packages use.
"""
