"""The emergence law: finetuning moves the point at which an ability leaves chance."""
