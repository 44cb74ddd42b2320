from smtps._pure.replies import ReplyParser as ReplyParser
