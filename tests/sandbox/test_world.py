"""A sandbox's world is registered whole, and each paper is wrong in the one way its name tells."""

from datetime import timedelta

import pytest
from sandbox_world import Prepared

from makul.app.ports import DocumentVerifier, VerifiedDocument
