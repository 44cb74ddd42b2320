from smtps._pure.window import Window as Window
