// Kyb-status-check says what tools of others make of the platform's custom resources: kstatus, by which Flux and Helm go, and the
// Lua scripts of charts/argocd, by which Argo CD does.
//
//	kubectl get kyb -A -o json | kyb-status-check -lua charts/argocd
//	kubectl get kybtenant acme -o yaml | kyb-status-check -lua charts/argocd -action pause
//
// It reads objects on standard input: YAML documents, JSON, or lists of both. For each it prints one line of JSON: a [verdict], or,
// with -action, the object as the action changes it. It ends with 0 once it could say something of each object, whatever that is.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// said is a status as a tool shows it, with the reason that it gives.
type said struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// action is something that Argo CD lets people do with an object.
type action struct {
	Disabled bool `json:"disabled"`
}

// verdict is what each tool makes of one object.
type verdict struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Kstatus said   `json:"kstatus"`
	// Null where no script is about the kind: then Argo CD goes by what it knows itself.
	Argo *said `json:"argo"`
	// By name.
	Actions map[string]action `json:"actions"`
}

func main() {
	folder := flag.String("lua", "charts/argocd", "the `folder` with the scripts")
	act := flag.String("action", "", "print each object as the action of this `name` changes it")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "kyb-status-check: %q is not understood: objects come on standard input\n", flag.Arg(0))
		os.Exit(2)
	}
	// Without this a mistyped folder would look like one that says nothing of any kind.
	_, err := os.Stat(*folder)
	if err == nil {
		err = run(os.Stdin, os.Stdout, scripts(*folder), *act)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "kyb-status-check: %v\n", err)
		os.Exit(1)
	}
}

// run writes one line for each object of in. With an act it is the changed object, else the verdict.
func run(in io.Reader, out io.Writer, lua scripts, act string) error {
	objects, err := read(in)
	if err != nil {
		return fmt.Errorf("can't read the objects: %w", err)
	}
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, object := range objects {
		var line any
		if act != "" {
			line, err = lua.act(act, object)
		} else {
			line, err = judge(lua, object)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// judge asks every tool.
func judge(lua scripts, object *unstructured.Unstructured) (verdict, error) {
	computed, err := status.Compute(object)
	if err != nil {
		return verdict{}, fmt.Errorf("kstatus: %w", err)
	}
	health, err := lua.health(object)
	if err != nil {
		return verdict{}, err
	}
	actions, err := lua.actions(object)
	return verdict{
		Kind:    object.GetKind(),
		Name:    object.GetName(),
		Kstatus: said{Status: computed.Status.String(), Message: computed.Message},
		Argo:    health,
		Actions: actions,
	}, err
}

// read gives the objects of a stream, those in lists one by one.
func read(in io.Reader) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(in, 4096)
	for {
		var document runtime.RawExtension
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		if len(document.Raw) == 0 || string(document.Raw) == "null" {
			continue // nothing between two lines of ---
		}
		// Not into a map: only this way whole numbers stay whole, which kstatus insists on.
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(document.Raw); err != nil {
			return nil, err
		}
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		items, err := object.ToList()
		if err != nil {
			return nil, err
		}
		for i := range items.Items {
			objects = append(objects, &items.Items[i])
		}
	}
}
