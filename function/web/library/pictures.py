"""Sends the pictures of albums, as small copies: they are decoded where photos are."""

from dataclasses import replace
from pathlib import Path

from flask import Request, Response

from db.videos import AlbumPicture, VideoRecord
from function.errors import UnknownPictureError
from function.library.finding import text_of
from function.media.files import find_place, open_media
from function.web.library.shelf import Shelf
from function.web.library.sightings import find_video
from function.web.page_requests import read_number
from function.web.responses import face_response
from function.web.service import Service


def answer_picture(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/picture?oshash=...&number=1` with a JPEG.

    Raises:
        VideoNotFoundError: there is no such album, or no such file any more.
        UnknownPictureError: the album has no such picture.
        PhotoUnusableError: it cannot be read.
    """
    number = read_number(request, "number", 0, least=0)
    with shelf.library() as library:
        album = find_video(library, request.args.get("oshash", ""))
        pictures = library.ledger.pictures([album.id])[album.id]
    if not 1 <= number <= len(pictures) or not album.paths:
        raise UnknownPictureError(
            f"There is no picture {number} in this album. It has {album.pictures}."
        )
    picture = pictures[number - 1]
    settings = service.settings
    asked = _path_of(album, picture, service)
    with open_media(asked, settings.media_root) as media:
        named = replace(media, name=picture.name)
        return face_response(service.copy_picture(named, picture.place).picture)


def _path_of(album: VideoRecord, picture: AlbumPicture, service: Service) -> str:
    """Return the path of the file that holds a picture, for `open_media`."""
    path = text_of(album.paths[0])
    is_folder = find_place(path, service.settings.media_root).is_dir()
    return str(Path(path) / picture.name) if is_folder and picture.place is None else path
