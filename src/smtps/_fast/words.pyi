from smtps._pure.words import encode_phrase as encode_phrase
from smtps._pure.words import encode_unstructured as encode_unstructured
