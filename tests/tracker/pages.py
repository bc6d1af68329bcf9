"""Pages of a browser as tests use them."""


def opened(context):
    """A page whose errors fail the test."""
    page = context.new_page()

    def complain(error):
        raise AssertionError(f"the page saw an error: {error}")

    page.on("pageerror", complain)
    return page


def settled(page, seconds=0.6):
    """Time for what was queued to leave."""
    page.wait_for_timeout(seconds * 1000)
