"""`werkzeug.datastructures.range`: the names of the original, and Costrel behind them."""

from costrel.http.ranges import ContentRange as ContentRange
from costrel.http.ranges import IfRange as IfRange
from costrel.http.ranges import Range as Range
