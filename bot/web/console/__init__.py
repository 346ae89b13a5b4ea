"""The staff console: one module a page, templates beside them, texts in i18n."""
