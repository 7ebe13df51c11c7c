"""Django's settings, one file a concern; `table.py` is the list of everything that can be configured."""

from webapp.settings.database import *  # noqa: F403
from webapp.settings.fetching import *  # noqa: F403
from webapp.settings.logs import *  # noqa: F403
from webapp.settings.mail import *  # noqa: F403
from webapp.settings.queues import *  # noqa: F403
from webapp.settings.rest import *  # noqa: F403
from webapp.settings.security import *  # noqa: F403
from webapp.settings.site import *  # noqa: F403
from webapp.settings.uploads import *  # noqa: F403
