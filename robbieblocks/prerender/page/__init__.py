"""Making pages from rendered blocks and templates.

| module | what it holds |
|---|---|
| `renderer` | makes documents with the templates |
| `document` | a page for all nodes, with slots for what is a node's own |
| `head` | security policy, Open Graph, linked data |
| `visibility` | visitor conditions as CSS rules |
| `page_assets` | the islands of a page, and the stylesheets and modules that it loads |
| `templates` | the Jinja templates |
| `site_files` | robots.txt and sitemaps |

`robbieblocks.prerender` names what other packages use.
"""
