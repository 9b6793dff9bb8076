package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// scripts is a folder of Argo CD's resource customizations: <group>/<kind>/health.lua, and beside it actions/discovery.lua and
// actions/<name>/action.lua.
type scripts string

// longest is how long Argo CD lets a script run.
const longest = time.Second

// libraries are those that a script may use wherever Argo CD has it from. One in Argo CD's ConfigMap gets these, package and a cut-down
// os; string and math only where somebody has switched them on, or the script is built in.
var libraries = []struct {
	name string
	open lua.LGFunction
}{
	{lua.BaseLibName, lua.OpenBase},
	{lua.TabLibName, lua.OpenTable},
}

// barred are functions of the base library that read files or run text. Argo CD has them; a health check needs none.
var barred = []string{"dofile", "loadfile", "load", "loadstring", "module", "require"}

// healths are the words that Argo CD knows.
var healths = map[string]bool{
	"Healthy": true, "Progressing": true, "Degraded": true, "Suspended": true, "Missing": true, "Unknown": true,
}

// health is what the kind's script says of an object; nil where there is no such script.
func (s scripts) health(object *unstructured.Unstructured) (*said, error) {
	answer, err := s.ask(object, "health.lua")
	if answer == nil || err != nil {
		return nil, err
	}
	health := said{Status: text(answer.RawGetString("status")), Message: text(answer.RawGetString("message"))}
	if !healths[health.Status] {
		return nil, fmt.Errorf("health.lua: Argo CD knows no health %q", health.Status)
	}
	return &health, nil
}

// actions are what an object offers, by name; none where the kind has no script that says so.
func (s scripts) actions(object *unstructured.Unstructured) (map[string]action, error) {
	actions := map[string]action{}
	answer, err := s.ask(object, "actions/discovery.lua")
	if answer == nil || err != nil {
		return actions, err
	}
	answer.ForEach(func(name, value lua.LValue) {
		properties, isTable := value.(*lua.LTable)
		actions[text(name)] = action{Disabled: isTable && lua.LVAsBool(properties.RawGetString("disabled"))}
	})
	return actions, nil
}

// act gives an object as an action changes it.
func (s scripts) act(name string, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	file := filepath.Join("actions", name, "action.lua")
	answer, err := s.ask(object, file)
	if err != nil {
		return nil, err
	}
	if answer == nil {
		return nil, fmt.Errorf("the kind has no action %q", name)
	}
	changed, isObject := fromLua(answer, object.Object).(map[string]any)
	if !isObject {
		return nil, fmt.Errorf("%s returns no object", file)
	}
	return &unstructured.Unstructured{Object: changed}, nil
}

// ask runs one of the kind's scripts; nil where there is none.
func (s scripts) ask(object *unstructured.Unstructured, file string) (*lua.LTable, error) {
	kind := object.GroupVersionKind().GroupKind()
	script, err := os.ReadFile(filepath.Join(string(s), kind.Group, kind.Kind, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	answer, err := execute(string(script), object.Object)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return answer, nil
}

// execute runs a script with the global obj, as Argo CD does, and gives the table that it returns.
func execute(script string, object map[string]any) (*lua.LTable, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range libraries {
		open := lua.P{Fn: state.NewFunction(library.open), Protect: true}
		if err := state.CallByParam(open, lua.LString(library.name)); err != nil {
			return nil, err
		}
	}
	for _, name := range barred {
		state.SetGlobal(name, lua.LNil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	answer, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return nil, fmt.Errorf("it returns a %s, not a table", state.Get(-1).Type())
	}
	return answer, nil
}

// text is a string's text, and empty for anything else.
func text(value lua.LValue) string {
	words, _ := value.(lua.LString)
	return string(words)
}

// toLua makes a value of JSON one of Lua. Null becomes nil, and so an absent field.
func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}

// fromLua makes a value of Lua one of JSON. Lua can tell neither an empty list from an empty object nor 1 from 1.0; what stood there
// before decides.
func fromLua(value lua.LValue, before any) any {
	switch value := value.(type) {
	case lua.LBool:
		return bool(value)
	case lua.LNumber:
		if _, fraction := before.(float64); !fraction && float64(value) == math.Trunc(float64(value)) {
			return int64(value)
		}
		return float64(value)
	case lua.LString:
		return string(value)
	case *lua.LTable:
		if list, wasList := before.([]any); value.Len() > 0 || (wasList && isEmpty(value)) {
			return listFromLua(value, list)
		}
		return objectFromLua(value, before)
	default:
		return nil
	}
}

func listFromLua(table *lua.LTable, before []any) []any {
	list := make([]any, 0, table.Len())
	for i := 1; i <= table.Len(); i++ {
		var old any
		if i <= len(before) {
			old = before[i-1]
		}
		list = append(list, fromLua(table.RawGetInt(i), old))
	}
	return list
}

func objectFromLua(table *lua.LTable, before any) map[string]any {
	old, _ := before.(map[string]any)
	object := map[string]any{}
	table.ForEach(func(key, value lua.LValue) { object[text(key)] = fromLua(value, old[text(key)]) })
	return object
}

func isEmpty(table *lua.LTable) bool {
	key, _ := table.Next(lua.LNil)
	return key == lua.LNil
}
