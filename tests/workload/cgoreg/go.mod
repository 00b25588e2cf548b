module flightrec/tests/workload/cgoreg

go 1.17
