"""`werkzeug.security`: the names of the original, and Costrel behind them."""

from costrel.support.passwords import DEFAULT_PBKDF2_ITERATIONS as DEFAULT_PBKDF2_ITERATIONS
from costrel.support.passwords import SALT_CHARS as SALT_CHARS
from costrel.support.passwords import check_password_hash as check_password_hash
from costrel.support.passwords import gen_salt as gen_salt
from costrel.support.passwords import generate_password_hash as generate_password_hash
from costrel.support.paths import safe_join as safe_join
