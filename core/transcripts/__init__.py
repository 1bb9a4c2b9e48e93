"""The bytes of an upload, read as turns of speakers, whatever their format. Pure.

reader      bytes from S3 to a transcript: unpacked, decoded, read by its format
encodings   which encoding the bytes of a file are in
turns       who said what: segments joined into turns
formats     one module for each format, or family of formats
"""
