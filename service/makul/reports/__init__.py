"""Reports for people: self-contained HTML pages with charts, and PDF files of them."""
