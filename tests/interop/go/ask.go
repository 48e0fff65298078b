// Asks over mtls with code that gowsdl generated into ./contract, one line of tasks after the other, as
// interop.Ask does over wsse: NAME URL CERTIFICATE KEY AGREEMENT PURPOSE PIN NUMBER DOCUMENT KIND SEALING-KEY
// ATTRIBUTES CA, separated by tabs. Of the attributes it asks for the first: gowsdl makes no list of them.
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hooklift/gowsdl/soap"

	"example/makul/contract"
)

func pointer[T any](value T) *T { return &value }

func uuid() string {
	octets := make([]byte, 16)
	if _, err := rand.Read(octets); err != nil {
		panic(err)
	}
	octets[6], octets[8] = octets[6]&15|64, octets[8]&63|128
	return fmt.Sprintf("%x-%x-%x-%x-%x", octets[:4], octets[4:6], octets[6:8], octets[8:10], octets[10:])
}

func read(file string) []byte {
	content, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return content
}

// What stands in a fault. gowsdl's client reads faults under HTTP 200 alone, and hands others over as they came.
type envelope struct {
	Reasons []*contract.Reason `xml:"Body>Fault>detail>Fault>reason"`
}

func codes(reasons []*contract.Reason, withField bool) string {
	var found []string
	for _, reason := range reasons {
		code := string(*reason.Code)
		if withField && reason.Field != nil {
			code += " " + string(*reason.Field)
		}
		found = append(found, code)
	}
	return strings.Join(found, " ")
}

func ask(task []string) string {
	certificate, err := tls.LoadX509KeyPair(task[2], task[3])
	if err != nil {
		panic(err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(read(task[12]))
	client := soap.NewClient(task[1], soap.WithTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate}, RootCAs: authorities,
	}))
	ground := &contract.Ground{}
	// gowsdl takes base64Binary for octets and leaves the base64 to the caller.
	document := contract.Document(base64.StdEncoding.EncodeToString(read(task[8])))
	if task[9] == "CONSENT" {
		ground.ConsentDocument = &document
	} else {
		ground.BasisDocument = &document
	}
	question := &contract.GetPersonData{
		RequestId:       pointer(contract.RequestId(uuid())),
		AgreementNumber: pointer(contract.AgreementNumber(task[4])),
		Employee:        pointer(contract.EmployeeId("interop")),
		Purpose:         pointer(contract.PurposeCode(task[5])),
		Probe: &contract.Probe{Demographic: &contract.DemographicProbe{
			Pin:            pointer(contract.Pin(task[6])),
			DocumentNumber: pointer(contract.DocumentNumber(task[7])),
		}},
		Ground: ground,
		RequestedAttributes: &contract.AttributeList{
			Attribute: pointer(contract.AttributeName(strings.Fields(task[11])[0])),
		},
	}
	answer, err := contract.NewRecipient(client).GetPersonData(question)
	var refused *soap.HTTPError
	if errors.As(err, &refused) {
		var fault envelope
		if err := xml.Unmarshal(refused.ResponseBody, &fault); err != nil {
			panic(err)
		}
		return "FAULT\t" + codes(fault.Reasons, true) + "\t"
	}
	if err != nil {
		panic(err)
	}
	surname := ""
	if answer.Person != nil {
		surname = string(*answer.Person.Surname.Latin)
	}
	return string(*answer.Outcome) + "\t" + codes(answer.Reason, false) + "\t" + surname
}

func main() {
	tasks, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(tasks)
	for lines.Scan() {
		task := strings.Split(lines.Text(), "\t")
		fmt.Println(task[0] + "\t" + ask(task))
	}
}
