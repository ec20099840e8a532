"""Writes values.csv: structural similarity of pairs of images by scikit-image.

    pip install scikit-image
    python generate.py > values.csv

Pixel (i, j) of image k of a pair is a formula that the test has too.
"""

import numpy as np
from skimage.metrics import structural_similarity

CASES = [(28, 28, 0.3, 2.0), (11, 11, 0.1, 2.0), (20, 33, 0.8, 1.0), (28, 28, 0.0, 2.0), (40, 12, 2.0, 255.0)]


def image(rows, width):
    i, j = np.mgrid[0:rows, 0:width].astype(float)
    return 0.6 * np.sin(0.3 * i + 0.5 * j) + 0.3 * np.cos(0.11 * i * j)


def disturbance(rows, width):
    i, j = np.mgrid[0:rows, 0:width].astype(float)
    return np.sin(1.7 * i * i + 0.9 * j) + 0.2


print("rows,width,amplitude,range,ssim")
for rows, width, amplitude, span in CASES:
    x = image(rows, width)
    y = x + amplitude * disturbance(rows, width)
    value = structural_similarity(
        x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=span
    )
    print(f"{rows},{width},{amplitude!r},{span!r},{value:.17g}")
