"""`flask.typing`: the names of the original, and Costrel behind them."""

from costrel.app.typing import AfterRequestCallable as AfterRequestCallable
from costrel.app.typing import AppOrBlueprintKey as AppOrBlueprintKey
from costrel.app.typing import BeforeFirstRequestCallable as BeforeFirstRequestCallable
from costrel.app.typing import BeforeRequestCallable as BeforeRequestCallable
from costrel.app.typing import ErrorHandlerCallable as ErrorHandlerCallable
from costrel.app.typing import HeadersValue as HeadersValue
from costrel.app.typing import HeaderValue as HeaderValue
from costrel.app.typing import ResponseClass as ResponseClass
from costrel.app.typing import ResponseReturnValue as ResponseReturnValue
from costrel.app.typing import ResponseValue as ResponseValue
from costrel.app.typing import RouteCallable as RouteCallable
from costrel.app.typing import ShellContextProcessorCallable as ShellContextProcessorCallable
from costrel.app.typing import TeardownCallable as TeardownCallable
from costrel.app.typing import TemplateContextProcessorCallable as TemplateContextProcessorCallable
from costrel.app.typing import TemplateFilterCallable as TemplateFilterCallable
from costrel.app.typing import TemplateGlobalCallable as TemplateGlobalCallable
from costrel.app.typing import TemplateTestCallable as TemplateTestCallable
from costrel.app.typing import URLDefaultCallable as URLDefaultCallable
from costrel.app.typing import URLValuePreprocessorCallable as URLValuePreprocessorCallable
