"""dlib's CNN face detector under onnxruntime."""

from typing import Any

from function.engines.dlib_nets.cnn_scores import read_scores
from function.engines.dlib_nets.layers import DetectionLoss, DlibNet
from function.engines.dlib_nets.pyramid import lay_out, paint
from function.engines.protocol import Detection
from function.media.pictures import RgbImage


class CnnDetector:
    """dlib's CNN face detector at upsample 0: the same boxes to the pixel, 25 times as fast."""

    def __init__(self, session: Any, net: DlibNet[DetectionLoss]) -> None:
        self._session = session
        self._means = net.means
        self._loss = net.loss

    def detect(self, image: RgbImage) -> list[Detection]:
        """Find the faces in an image, most certain first; it misses those under about 80 pixels."""
        layout = lay_out(image.shape[1], image.shape[0])
        canvas = paint(image, layout, self._means)
        (scores,) = self._session.run(["scores"], {"canvas": canvas})
        return read_scores(scores[0, 0], layout, self._loss)
