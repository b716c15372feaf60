"""Pictures of pixels in other forms and widths, by Pillow: it is an extra."""

from __future__ import annotations

import base64
import contextlib
import io
from typing import Any, Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from robbieblocks.media.forms import Forms, Made, Refused

# A screen's widths, from a small phone's column to a large one's full width.
WIDTHS: Final = (320, 640, 960, 1280, 1920, 2560)
_TINY: Final = 16
# What WebP can hold.
_SIDE_MAX: Final = 16_383
_ORIENTATION: Final = 0x0112
# With these orientations (Exif 2.32, 4.6.4) width and height change places.
_TURNED: Final = range(5, 9)
_FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
}


def forms_of(content: bytes, kind: str, pixels_max: int) -> Forms:
    """The forms of a picture of pixels: AVIF and WebP in several widths, and one for all readers.

    Raises Refused for what is no such picture, or has more pixels than that.
    """
    # The bound is ours, and this one reader is tried.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[kind]]) as image:
            return _made(image, kind, pixels_max)
    except Refused:
        raise
    except UnidentifiedImageError:
        raise Refused("can't be read as a picture: its head is damaged") from None
    except Exception as error:  # noqa: BLE001 - what a library raises over bytes of a row
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise Refused(f"can't be read as a picture: {said}") from None


def _made(image: ImageFile, kind: str, pixels_max: int) -> Forms:
    # What stands behind a phone's photo in its file (CIPA DC-007) is another view of it, or a map
    # of its brightness: the first one is the photo.
    frames = 1 if kind == "image/jpeg" else int(getattr(image, "n_frames", 1))
    if image.width * image.height * frames > pixels_max:
        size = f"{image.width:,} times {image.height:,}"
        times = f" in {frames:,} frames" if frames > 1 else ""
        most = pixels_max // 10**6
        raise Refused(f"has {size} pixels{times}, at most {most} million are allowed")
    if max(image.size) > _SIDE_MAX:
        raise Refused(f"is {max(image.size):,} pixels long, at most {_SIDE_MAX:,} are allowed")
    if frames > 1:
        return _animation(image, frames)
    # A JPEG is read no larger than it is needed; its size is told as it is.
    turned = image.getexif().get(_ORIENTATION) in _TURNED
    width, height = image.size[::-1] if turned else image.size
    image.draft("RGB", (WIDTHS[-1], WIDTHS[-1] * image.height // image.width + 1))
    upright = _upright(image)
    clear = upright.mode == "RGBA"
    widths = [each for each in WIDTHS if each < width] + ([width] if width <= WIDTHS[-1] else [])
    made: list[Made] = []
    for each in widths:
        sized = _sized(upright, each, width, height)
        made.append(_form(sized, "AVIF", quality=60, speed=8, max_threads=1))
        made.append(_form(sized, "WEBP", quality=78, method=3))
    plain = _sized(upright, min(width, WIDTHS[-1]), width, height)
    if clear or kind == "image/png":
        made.append(_form(plain, "PNG", optimize=True))
    else:
        made.append(_form(plain, "JPEG", quality=82, progressive=True, optimize=True))
    return Forms(width, height, tuple(made), "" if clear else _tiny(upright))


def _upright(image: Image.Image) -> Image.Image:
    """The picture as it is to be seen, in sRGB, without what else was in it."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        # Its types are not all told.
        deep: Any = image
        image = deep.point(_eight_bits, "L")
    clear = image.has_transparency_data
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            image = _in_srgb(image, profile)
    image = image.convert("RGBA" if clear else "RGB")
    image.info.clear()
    return image


def _eight_bits(value: Any) -> Any:
    """Pillow reads the scale out of the product."""
    return value * (1 / 256)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = image.mode if image.mode in ("RGB", "RGBA") else "RGB"
    # Its types are not all told.
    cms: Any = ImageCms
    made: Image.Image = cms.profileToProfile(image, own, cms.createProfile("sRGB"), outputMode=mode)
    return made


def _sized(image: Image.Image, width: int, whole_width: int, whole_height: int) -> Image.Image:
    size = width, max(1, round(whole_height * width / whole_width))
    if size == image.size:
        return image
    # Its types are not all told.
    given: Any = image
    made: Image.Image = given.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return made


def _form(image: Image.Image, form: str, **options: Any) -> Made:
    written = io.BytesIO()
    image.save(written, form, **options)
    return Made(f"image/{form.lower()}", *image.size, written.getvalue())


def _tiny(image: Image.Image) -> str:
    """A few pixels as a data URL: what stands there until the picture does."""
    small = _form(_sized(image, min(_TINY, image.width), *image.size), "WEBP", quality=30)
    return "data:image/webp;base64," + base64.b64encode(small.content).decode()


def _animation(image: ImageFile, count: int) -> Forms:
    """Moving pictures keep their size, in the one form that every browser has."""
    frames: list[Image.Image] = []
    durations: list[int] = []
    for number in range(count):
        image.seek(number)
        frames.append(image.convert("RGBA"))
        frames[-1].info.clear()
        durations.append(int(image.info.get("duration", 100)))
    loop = int(image.info.get("loop", 1))
    more = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": loop}
    return Forms(*image.size, (_form(frames[0], "WEBP", quality=75, **more),))
