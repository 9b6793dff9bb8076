-- Not nil: false agrees with a Git that says false and with one that says nothing.
obj.spec.paused = false
return obj
