"""Documents from the web: a page by its address, or all pages that a sitemap lists."""
