"""Relevance of image patches for a text: one method a file.

occlusion  any model: what the score loses with a patch      attention  ViT towers      gradcam  convolutional towers
methods    which of them fits a model      shuffling  the same tower with meaningless weights
"""
