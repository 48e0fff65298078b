// Asks over mtls with code that gowsdl generated into ./contract, one line of tasks after the other, as
// interop.Ask does over wsse: NAME URL CERTIFICATE KEY AGREEMENT PURPOSE PIN NUMBER DOCUMENT KIND SEALING-KEY
// ATTRIBUTES CA, separated by tabs. Of the attributes it asks for the first: gowsdl makes no list of them.
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
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

// The detail of a fault, as gowsdl's client wants it: with an element to read and two methods.
type detail struct {
	Fault contract.MakulFault `xml:"Fault"`
}

func (found *detail) HasData() bool { return len(found.Fault.Reason) > 0 }

func (found *detail) ErrorString() string { return codes(found.Fault.Reason, true) }

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
	document := contract.Document(read(task[8]))
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
	answer, fault := &contract.GetPersonDataResponse{}, &detail{}
	if err := client.CallWithFaultDetail("", question, answer, fault); err != nil {
		if fault.HasData() {
			return "FAULT\t" + fault.ErrorString() + "\t"
		}
		return "NO ANSWER\t" + err.Error() + "\t"
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
