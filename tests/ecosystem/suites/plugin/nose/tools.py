"""The assertions that nose took from unittest."""

from unittest import TestCase

_case = TestCase()
assert_equal = assert_equals = _case.assertEqual
assert_raises = _case.assertRaises
assert_true = _case.assertTrue
assert_false = _case.assertFalse
