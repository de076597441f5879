"""Read here and there in an object by the GDAL of rasterio's wheel: the S3 of tests/sdk/s3.py writes its caller there.

Of rasterio itself there is only the library: it takes its credentials by boto3 where that is installed.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

import rasterio  # type: ignore[import-not-found,unused-ignore]  # in an environment of its own

BLOCK = 65536  # bytes; more than GDAL reads ahead
LINE = 32  # bytes

(LIBRARY,) = Path(rasterio.__file__).parents[1].glob("rasterio.libs/libgdal*")
gdal = ctypes.CDLL(str(LIBRARY))
gdal.VSIFOpenL.restype = ctypes.c_void_p
gdal.VSIFSeekL.argtypes = (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int)
gdal.VSIFReadL.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
gdal.VSIFReadL.restype = ctypes.c_size_t

os.environ |= {
    "AWS_S3_ENDPOINT": os.environ["AWS_ENDPOINT_URL_S3"],  # which it does not know
    "AWS_VIRTUAL_HOSTING": "NO",  # there is no whoami.127.0.0.1
    "CPL_AWS_EC2_API_ROOT_URL": "http://127.0.0.1:9",  # where nobody is: it does not know AWS_EC2_METADATA_DISABLED
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",  # as is advised where files lie in S3
    "GDAL_HTTP_USERAGENT": f"GDAL/{rasterio.__gdal_version__}",  # by itself it says nothing
}
file = None
line = ctypes.create_string_buffer(LINE)
for number, _ in enumerate(sys.stdin if sys.argv[1:] == ["lines"] else [""]):
    file = file or gdal.VSIFOpenL(b"/vsis3/whoami/caller", b"rb")
    if not file or gdal.VSIFSeekL(file, number * BLOCK, 0) or gdal.VSIFReadL(line, 1, LINE, file) != LINE:
        sys.exit(1)
    print(json.dumps({"access_key_id": line.raw.decode().strip()}), flush=True)  # noqa: T201 - its output
