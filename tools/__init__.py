"""Tools that build the site; none of them is needed to use the package."""
