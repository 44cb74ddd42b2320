from smtps._pure.lines import LineBuffer as LineBuffer
