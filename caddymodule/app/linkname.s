// Lets reload.go declare a function that is linked to another one.
