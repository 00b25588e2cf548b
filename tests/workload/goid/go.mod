module flightrec/tests/workload/goid

go 1.17
