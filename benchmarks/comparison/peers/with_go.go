// Go's net/smtp: a goroutine for each connection. Go sets TCP_NODELAY itself.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/smtp"
	"os"
	"sync"
	"syscall"
	"time"
)

type job struct {
	Host        string `json:"host"`
	Port        int    `json:"port"`
	TLS         bool   `json:"tls"`
	CAFile      string `json:"ca_file"`
	Connections int    `json:"connections"`
	Messages    int    `json:"messages"`
	Content     string `json:"content"`
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func (j *job) connect() *smtp.Client {
	address := fmt.Sprintf("%s:%d", j.Host, j.Port)
	var connection net.Conn
	var err error
	if j.TLS {
		pem, err := os.ReadFile(j.CAFile)
		check(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		connection, err = tls.Dial("tcp", address, &tls.Config{RootCAs: roots})
		check(err)
	} else {
		connection, err = net.Dial("tcp", address)
		check(err)
	}
	client, err := smtp.NewClient(connection, j.Host)
	check(err)
	check(client.Hello("client.example"))
	return client
}

func (j *job) send(client *smtp.Client, first int, content []byte) {
	for number := first; number < j.Messages; number += j.Connections {
		check(client.Mail("sender@sender.example"))
		check(client.Rcpt(fmt.Sprintf("reader%d@reader.example", number)))
		writer, err := client.Data()
		check(err)
		_, err = writer.Write(content)
		check(err)
		check(writer.Close())
	}
}

func cpu() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	var j job
	check(json.Unmarshal([]byte(os.Args[1]), &j))
	content, err := os.ReadFile(j.Content)
	check(err)
	clients := make([]*smtp.Client, j.Connections)
	for number := range clients {
		clients[number] = j.connect()
	}
	start, before := time.Now(), cpu()
	var group sync.WaitGroup
	for number, client := range clients {
		group.Add(1)
		go func(number int, client *smtp.Client) {
			defer group.Done()
			j.send(client, number, content)
		}(number, client)
	}
	group.Wait()
	seconds, used := time.Since(start).Seconds(), cpu()-before
	for _, client := range clients {
		check(client.Quit())
	}
	fmt.Printf("{\"messages\": %d, \"sent\": %d, \"seconds\": %.9f, \"cpu\": %.9f}\n",
		j.Messages, j.Messages, seconds, used)
}
