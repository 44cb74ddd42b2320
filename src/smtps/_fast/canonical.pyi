from smtps._pure.canonical import BodyCanonicalizer as BodyCanonicalizer
from smtps._pure.canonical import canonical_fields as canonical_fields
