module flightrec/tests/workload/budget_go

go 1.18
