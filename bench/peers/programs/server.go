// Go's net/http as a peer.
// server PORT FOLDER-OF-FILES CONTENT-TYPE BODY
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	port, files, contentType, body := os.Args[1], os.Args[2], os.Args[3], []byte(os.Args[4])
	answer := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(body)
	}
	http.HandleFunc("/hello", answer)
	http.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			answer(w, r)
		}
	})
	http.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(files))))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
