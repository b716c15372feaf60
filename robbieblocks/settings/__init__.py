"""Where things are: read once from the project's file and the environment, and passed down."""

from robbieblocks.settings.addresses import Address, Addresses
from robbieblocks.settings.bucket import BucketLayout, BucketSettings
from robbieblocks.settings.entries import PROJECT_FILE, SETTINGS
from robbieblocks.settings.events import (
    HOOK,
    KINDS,
    EventSettings,
    Webhook,
    is_loopback,
    url_problem,
)
from robbieblocks.settings.forms import RECEIVER_PATH, Forms, FormSettings, ReceiverSettings
from robbieblocks.settings.freeze_windows import FreezeWindow
from robbieblocks.settings.installation import Settings, resource_dir
from robbieblocks.settings.media_bucket import MediaBucketSettings
from robbieblocks.settings.project_file import ProjectFile, file_schema, read_project_file
from robbieblocks.settings.reference import reference
from robbieblocks.settings.search import ALL_APPS, SearchSettings
from robbieblocks.settings.setting import Setting
from robbieblocks.settings.shared_cache import SHARED_CACHE_KEY, SharedCacheSettings
from robbieblocks.settings.sync import SyncSettings, SyncTransport

__all__ = [
    "ALL_APPS",
    "HOOK",
    "KINDS",
    "PROJECT_FILE",
    "RECEIVER_PATH",
    "SETTINGS",
    "SHARED_CACHE_KEY",
    "Address",
    "Addresses",
    "BucketLayout",
    "BucketSettings",
    "EventSettings",
    "FormSettings",
    "Forms",
    "FreezeWindow",
    "MediaBucketSettings",
    "ProjectFile",
    "ReceiverSettings",
    "SearchSettings",
    "Setting",
    "Settings",
    "SharedCacheSettings",
    "SyncSettings",
    "SyncTransport",
    "Webhook",
    "file_schema",
    "is_loopback",
    "read_project_file",
    "reference",
    "resource_dir",
    "url_problem",
]
