// Porcupine on the histories that checkers_bench writes: `go build`, then
// checkers_bench --peer porcupine=./porcupine. Prints the verdict and the time of the check alone.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

type input struct {
	op       byte // r, w, c
	key      int
	a, b     int
}
type output struct {
	ok, unknown bool
	value       int
}

const none = -1

var model = porcupine.Model{
	PartitionEvent: func(events []porcupine.Event) [][]porcupine.Event {
		keys := map[int][]porcupine.Event{}
		of := map[int]int{}
		var order []int
		for _, e := range events {
			if e.Kind == porcupine.CallEvent {
				of[e.Id] = e.Value.(input).key
			}
			k := of[e.Id]
			if _, present := keys[k]; !present {
				order = append(order, k)
			}
			keys[k] = append(keys[k], e)
		}
		var parts [][]porcupine.Event
		for _, k := range order {
			parts = append(parts, keys[k])
		}
		return parts
	},
	Init: func() interface{} { return none },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		s, i, o := state.(int), in.(input), out.(output)
		switch i.op {
		case 'r':
			return o.unknown || o.value == s, s
		case 'w':
			return true, i.a
		}
		if o.unknown {
			if s == i.a {
				return true, i.b
			}
			return true, s
		}
		return s == i.a, i.b
	},
	Equal: func(a, b interface{}) bool { return a.(int) == b.(int) },
}

// A line: process, i|o|f|?, r|w|c, key, a, b; "_" is nothing.
func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	limit := 60 * time.Second
	if len(os.Args) > 2 {
		seconds, _ := strconv.Atoi(os.Args[2])
		limit = time.Duration(seconds) * time.Second
	}
	number := func(s string) int {
		if s == "_" {
			return none
		}
		n, _ := strconv.Atoi(s)
		return n
	}
	var events []porcupine.Event
	open := map[int]int{}
	failed := map[int]bool{}
	id := 0
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		w := strings.Fields(scanner.Text())
		p := number(w[0])
		switch w[1] {
		case "i":
			open[p] = id
			events = append(events, porcupine.Event{ClientId: p, Kind: porcupine.CallEvent, Id: id,
				Value: input{w[2][0], number(w[3]), number(w[4]), number(w[5])}})
			id++
		case "o":
			events = append(events, porcupine.Event{ClientId: p, Kind: porcupine.ReturnEvent, Id: open[p],
				Value: output{true, false, number(w[4])}})
			delete(open, p)
		case "f":
			failed[open[p]] = true
			delete(open, p)
		}
	}
	kept := events[:0]
	for _, e := range events {
		if !failed[e.Id] {
			kept = append(kept, e)
		}
	}
	for p, i := range open {
		kept = append(kept, porcupine.Event{ClientId: p, Kind: porcupine.ReturnEvent, Id: i, Value: output{unknown: true}})
	}
	began := time.Now()
	result := porcupine.CheckEventsTimeout(model, kept, limit)
	fmt.Printf("%s %.9f\n", result, time.Since(began).Seconds())
}
