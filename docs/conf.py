"""How the documentation is built: Sphinx, MyST and furo."""

project = "agentrelay"
author = "the agentrelay developers"
copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
html_theme = "furo"
html_title = "agentrelay"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
autodoc_typehints = "none"
nitpick_ignore_regex = [("py:.*", ".*")]  # names in docstrings are read as text; cross-references are written in MyST
