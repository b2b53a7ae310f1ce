// Checks a proof of `capfence audit prove` with Go's own packages for signed notes and Merkle trees, and with
// nothing of CapFence:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run scripts/check-proof.go 12.tlog-proof log.pin
//
// where Debian's golang-golang-x-mod-dev is installed; elsewhere in a module that requires golang.org/x/mod.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: check-proof PROOF PIN")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "not a proof:", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func check(proofFile, pinFile string) error {
	proof, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	pin, err := os.ReadFile(pinFile)
	if err != nil {
		return err
	}
	key, _, _ := strings.Cut(string(pin), "\n")
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(proof), "\n\n")
	if !found {
		return errors.New("the proof and its checkpoint are not apart")
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	size, root, err := checkpoint(opened.Text, verifier.Name())
	if err != nil {
		return err
	}
	record, index, hashes, err := inclusion(head)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, size, root, index, tlog.RecordHash(record))
}

// checkpoint reads origin, size and root.
func checkpoint(text, origin string) (int64, tlog.Hash, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin {
		return 0, tlog.Hash{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return size, root, err
}

// inclusion reads the record, its index and the hashes that lead to the root.
func inclusion(head string) ([]byte, int64, tlog.RecordProof, error) {
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return nil, 0, nil, errors.New("not in the form of c2sp.org/tlog-proof, with a record")
	}
	record, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return nil, 0, nil, err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return nil, 0, nil, err
	}
	var hashes tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, 0, nil, err
		}
		hashes = append(hashes, hash)
	}
	return record, index, hashes, nil
}
