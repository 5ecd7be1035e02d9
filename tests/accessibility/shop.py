"""The gallery with a page that fails and a page that logs, for the developer pages."""

import os

from examples.gallery import create_app

app = create_app({"INSTANCE": os.environ["SHOP_INSTANCE"], "SECRET_KEY": "a-key-for-tests-of-32-characters"})


@app.get("/fails/<int:number>")
def fails(number):
    basket = {"apples": number}
    app.logger.warning("The basket has %d apples", number)
    if number:
        raise ValueError(f"no room for {basket}")
    return "empty"
