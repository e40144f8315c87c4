package kubeclient

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetLease reads a Lease.
func (c *Client) GetLease(ctx context.Context, name string) (*coordinationv1.Lease, error) {
	var out coordinationv1.Lease
	err := c.coordination.Get().Namespace(c.namespace).Resource("leases").Name(name).Do(ctx).Into(&out)
	return &out, err
}

// CreateLease creates a Lease.
func (c *Client) CreateLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var out coordinationv1.Lease
	err := c.coordination.Post().Namespace(c.namespace).Resource("leases").Body(lease).Do(ctx).Into(&out)
	return &out, err
}

// UpdateLease writes a Lease that was read; it is a conflict if it has been written since.
func (c *Client) UpdateLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var out coordinationv1.Lease
	err := c.coordination.Put().Namespace(c.namespace).Resource("leases").Name(lease.Name).Body(lease).Do(ctx).Into(&out)
	return &out, err
}

// DeleteLease removes a Lease that was read; it is a conflict if it has been written since.
func (c *Client) DeleteLease(ctx context.Context, lease *coordinationv1.Lease) error {
	o := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion}}
	return c.coordination.Delete().Namespace(c.namespace).Resource("leases").Name(lease.Name).Body(&o).Do(ctx).Error()
}
