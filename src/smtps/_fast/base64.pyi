from smtps._pure.base64 import Base64Encoder as Base64Encoder
from smtps._pure.base64 import encode_base64 as encode_base64
from smtps._pure.base64 import encode_base64_into as encode_base64_into
