package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
)

// buildNoUsage builds hookgate with a MarkUsed that does nothing, to show what it costs.
// The change is an overlay for this one build: no released binary can be told to leave
// it out.
func buildNoUsage(ctx context.Context, r *rig) (string, error) {
	source, text, err := withoutBody(filepath.Join(r.root, "store"), "MarkUsed")
	if err != nil {
		return "", err
	}
	changed := filepath.Join(r.dir, "nousage.go")
	if err := os.WriteFile(changed, text, 0o644); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o644); err != nil {
		return "", err
	}
	return r.makeBuild(ctx, "hookgate-nousage", "-overlay="+path)
}

// withoutBody finds a method in a package, and returns its file changed in such a way
// that the method returns at once.
func withoutBody(dir, method string) (path string, text []byte, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", nil, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", nil, err
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return "", nil, err
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != method || f.Recv == nil {
				continue
			}
			if f.Type.Results != nil {
				return "", nil, errors.New(method + " returns something")
			}
			after := files.Position(f.Body.Lbrace).Offset + 1
			return path, append(append(text[:after:after], " return;"...), text[after:]...), nil
		}
	}
	return "", nil, fmt.Errorf("%s has no method %s", dir, method)
}
