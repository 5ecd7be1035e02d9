"""An application with a docs page of two versions, in the strict profile, that requires CSRF tokens."""

from typing import Annotated as A

from msgspec import Meta, Struct

from costrel import Blueprint, Costrel, OpenAPI, Status, session

app = Costrel(__name__, static_folder=None)
app.config.update(SECRET_KEY="not secret, but thirty-two bytes long", SECURITY_PROFILE="strict")
app.config.update(CSRF_REQUIRE_TOKEN=True, CONTENT_SECURITY_POLICY={"default-src": "'self'", "object-src": "'none'"})
app.openapi = OpenAPI("Wine shop", docs="/docs")

first = Blueprint("v1", __name__, url_prefix="/v1", typed=True, api="v1")
second = Blueprint("v2", __name__, url_prefix="/v2", typed=True, api="v2")


class Line(Struct):
    sku: A[str, Meta(min_length=3)]
    qty: A[int, Meta(ge=1)] = 1


class Order(Struct):
    customer: str
    lines: A[list[Line], Meta(min_length=1)]


class Taken(Struct):
    customer: str
    number: int


@second.post("/orders")
def create_order(order: Order) -> A[Taken, Status(201)]:
    """Take an order."""
    session["orders"] = session.get("orders", 0) + 1
    return Taken(order.customer, session["orders"])


@first.get("/orders")
def old_orders(limit: int = 20) -> list[Order]:
    """The newest orders."""
    return []


app.register_blueprint(first)
app.register_blueprint(second)
