"""Attacks on the image tower of a dual encoder, in the pixels that it sees after resizing and cropping, in [0, 1].

victim     scores and gradients of a batch, in pieces that fit in memory      goals   what an attack wants
balls      how far a pixel, or an image, may move      apgd, fab, square      one attack a file
ensemble   all of them in turn, on what still stands      universal, patch    one change for all images

All work on whole batches and drop an image as soon as it is broken.
"""
