"""HTTP requests become answers: who may ask, what was asked, and how the reply is written.

`service` holds what lives between requests; `identify` answers for one video. `main` enters, and
the page's own routes, which lie in `page`.
"""
