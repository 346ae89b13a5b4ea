"""`python -m bot` is `frontdesk`."""

import sys

from bot.cli import main

sys.exit(main())
