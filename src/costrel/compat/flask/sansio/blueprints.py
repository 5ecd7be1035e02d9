"""`flask.sansio.blueprints`: the names of the original, and Costrel behind them."""

from costrel.app.blueprint import Blueprint as Blueprint
from costrel.app.blueprint import BlueprintSetupState as BlueprintSetupState
from costrel.app.blueprint import DeferredSetupFunction as DeferredSetupFunction
from costrel.app.scaffold import Scaffold as Scaffold
from costrel.app.scaffold import T_after_request as T_after_request
from costrel.app.scaffold import T_before_request as T_before_request
from costrel.app.scaffold import T_error_handler as T_error_handler
from costrel.app.scaffold import T_teardown as T_teardown
from costrel.app.scaffold import T_template_context_processor as T_template_context_processor
from costrel.app.scaffold import T_template_filter as T_template_filter
from costrel.app.scaffold import T_template_global as T_template_global
from costrel.app.scaffold import T_template_test as T_template_test
from costrel.app.scaffold import T_url_defaults as T_url_defaults
from costrel.app.scaffold import T_url_value_preprocessor as T_url_value_preprocessor
from costrel.app.scaffold import setupmethod as setupmethod
