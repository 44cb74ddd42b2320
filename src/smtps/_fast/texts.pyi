from smtps._pure.texts import EncodedText as EncodedText
from smtps._pure.texts import encode_text as encode_text
from smtps._pure.texts import text_message as text_message
