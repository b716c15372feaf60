"""Making pages from rendered blocks and templates.

| module | what it holds |
|---|---|
| `renderer` | makes documents with the templates |
| `document` | a page for all nodes, with slots for what is a node's own |
| `head` | security policy, Open Graph, linked data |
| `islands` | the blocks that the browser renders or hydrates, as the page tells it |
| `visibility` | visitor conditions as CSS rules |
| `asset_graph` | the stylesheets and modules that a page loads |
| `templates` | the Jinja templates |
| `site_files` | robots.txt and sitemaps |

`robbieblocks.prerender` names what other packages use.
"""
