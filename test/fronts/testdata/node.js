{{.Snippet}}
