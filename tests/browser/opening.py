"""Open a page as a reader who begins once the page answers."""

from playwright.sync_api import Page

# Scripts wait until the text is shown. The last thing they do names the search.
ANSWERS = "document.querySelector('label[for=__search] .visually-hidden')"


def open_page(page: Page, address: str) -> None:
    """Go to a page of the site, and wait until its scripts have run."""
    page.goto(address)
    page.wait_for_function(ANSWERS)
