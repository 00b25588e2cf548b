// SPDX-License-Identifier: BSD-2-Clause

// otlpschema writes the public schema of OTLP traces and logs as a FileDescriptorSet, for protoc. It
// comes out of the module that OpenTelemetry generates from its own .proto files.
package main

import (
	"os"

	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// add puts a file behind those that it imports.
func add(set *descriptorpb.FileDescriptorSet, done map[string]bool, f protoreflect.FileDescriptor) {
	if done[f.Path()] {
		return
	}
	done[f.Path()] = true
	for i := 0; i < f.Imports().Len(); i++ {
		add(set, done, f.Imports().Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
}

func main() {
	set := &descriptorpb.FileDescriptorSet{}
	done := map[string]bool{}
	add(set, done, trace.File_opentelemetry_proto_trace_v1_trace_proto)
	add(set, done, logs.File_opentelemetry_proto_logs_v1_logs_proto)
	bytes, err := proto.Marshal(set)
	if err == nil {
		_, err = os.Stdout.Write(bytes)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
